/** The simulators behind the door and how many comparisons run, asked for again and again while the page is seen. */

import { useEffect, useState } from "preact/hooks";
import { get } from "./api";
import type { ComparisonList, SimulatorInfo, SimulatorList } from "./messages";

const EVERY_MS = 5_000;

export interface Around {
  simulators: SimulatorInfo[];
  running: number;
  /** Whether any question has had an answer, or none. */
  isAsked: boolean;
  /** Whether the last question had no answer. */
  away: boolean;
}

export function useAround(): Around {
  const [around, setAround] = useState<Around>({ simulators: [], running: 0, isAsked: false, away: false });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let ended = false;
    const ask = async () => {
      if (!document.hidden) {
        try {
          const [{ simulators }, { running = 0 }] = await Promise.all([
            get<SimulatorList>("v1/simulators"),
            get<ComparisonList>("v1/comparisons?limit=1"),
          ]);
          setAround({ simulators, running, isAsked: true, away: false });
        } catch {
          setAround((before) => ({ ...before, isAsked: true, away: true }));
        }
      }
      if (!ended) {
        timer = setTimeout(ask, EVERY_MS);
      }
    };
    void ask();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, []);
  return around;
}
