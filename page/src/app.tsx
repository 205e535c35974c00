import { useEffect, useRef, useState } from "preact/hooks";
import { get, sentence, whenUnauthorized } from "./api";
import { Compare } from "./compare";
import { Comparisons } from "./comparisons";
import { Header } from "./header";
import { Definitions, Mark } from "./marks";
import type { DoorInfo } from "./messages";
import { fragment, useRoute } from "./route";
import { TokenForm } from "./token-form";
import { useAround } from "./use-simulators";

const RETRY_MS = 2_000;

export function App() {
  const route = useRoute();
  const [door, setDoor] = useState<DoorInfo>();
  const [needsToken, setNeedsToken] = useState(false);
  const [problem, setProblem] = useState("");
  const compare = useRef(fragment("compare"));
  if (route.screen === "compare") {
    compare.current = location.hash || "#";
  }

  useEffect(() => {
    whenUnauthorized(() => setNeedsToken(true));
    let timer: ReturnType<typeof setTimeout>;
    const ask = () =>
      get<DoorInfo>("v1/door").then(setDoor, (error: unknown) => {
        setProblem(sentence(error));
        timer = setTimeout(ask, RETRY_MS);
      });
    void ask();
    return () => clearTimeout(timer);
  }, []);

  const enter = (found: DoorInfo) => {
    setDoor(found);
    setNeedsToken(false);
  };
  return (
    <>
      <Definitions />
      {needsToken ? (
        <>
          <Header screen={route.screen} running={0} compare={compare.current} />
          <TokenForm onDoor={enter} />
        </>
      ) : door ? (
        <Screens door={door} compare={compare.current} route={route} />
      ) : (
        <>
          <Header screen={route.screen} running={0} compare={compare.current} />
          {problem && (
            <p class="notice alone" role="status">
              <Mark name="down" /> {problem} This page asks again every few seconds.
            </p>
          )}
        </>
      )}
    </>
  );
}

interface ScreensProps {
  door: DoorInfo;
  compare: string;
  route: ReturnType<typeof useRoute>;
}

/** Both screens; that of a circuit stays as it is, unseen, while past comparisons are shown. */
function Screens({ door, compare, route }: ScreensProps) {
  const around = useAround();
  const isCompare = route.screen === "compare";
  return (
    <>
      <Header screen={route.screen} running={around.running} compare={compare} />
      <Compare door={door} around={around} route={isCompare ? route : undefined} />
      {!isCompare && <Comparisons door={door} route={route} />}
    </>
  );
}
