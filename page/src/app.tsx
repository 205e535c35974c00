import { Comparisons } from "./comparisons";
import { Header } from "./header";
import { Definitions } from "./marks";
import { useRoute } from "./route";

export function App() {
  const { screen } = useRoute();
  return (
    <>
      <Definitions />
      <Header screen={screen} running={0} />
      {screen === "comparisons" ? <Comparisons /> : <main class="compare" />}
    </>
  );
}
