import { useState } from "preact/hooks";
import { Mark } from "./marks";
import { type Ask, inOneLine, type Settings } from "./settings";

interface RunBarProps {
  settings: Settings;
  onChange: (settings: Settings) => void;
  /** What these settings find, or why they cannot be run; it may have links. */
  sees: preact.ComponentChildren;
  /** Whether `sees` says what is wrong. */
  isWrong: boolean;
  /** Whether `sees` says what a run that was asked for waits for. */
  isWaiting: boolean;
  canRun: boolean;
  /** The number of simulators that would run. */
  count: number;
  hasResult: boolean;
  isRunning: boolean;
  isCancelling: boolean;
  onRun: () => void;
  onCancel: () => void;
}

const ASKS: [Ask, string][] = [
  ["shots", "Shots"],
  ["resolution", "Resolution"],
  ["exact", "Exact"],
];

export function RunBar(props: RunBarProps) {
  const { settings, onChange, hasResult, isRunning, count } = props;
  const [isUnfolded, setUnfolded] = useState(false);
  const change = (changes: Partial<Settings>) => onChange({ ...settings, ...changes });
  const folded = (hasResult || isRunning) && !isUnfolded;
  return (
    <form
      class={`run-bar${folded ? " folded" : ""}`}
      aria-label="Run"
      onSubmit={(event) => {
        event.preventDefault();
        setUnfolded(false);
        props.onRun();
      }}
    >
      <div class="field asked">
        <span class="label" id="asked">
          Ask for
        </span>
        <div class="choice" role="radiogroup" aria-labelledby="asked">
          {ASKS.map(([ask, word]) => (
            <label key={ask}>
              <input
                type="radio"
                name="ask"
                checked={settings.ask === ask}
                disabled={isRunning}
                onChange={() => change({ ask })}
              />
              {word}
            </label>
          ))}
        </div>
      </div>
      <Amount {...props} />
      <div class="field">
        <label for="seed">Seed</label>
        <input
          id="seed"
          class="short"
          inputMode="numeric"
          autocomplete="off"
          placeholder="any"
          value={settings.seed}
          disabled={isRunning}
          onInput={(event) => change({ seed: event.currentTarget.value })}
        />
      </div>
      <div class="field">
        <label for="sampler">Sampler</label>
        <select
          id="sampler"
          value={settings.sampler}
          disabled={isRunning}
          onChange={(event) => change({ sampler: event.currentTarget.value === "native" ? "native" : "auto" })}
        >
          <option value="auto">shared</option>
          <option value="native">native</option>
        </select>
      </div>
      <p class="one-line">
        <span>{inOneLine(settings)}</span>
        {!isRunning && (
          <button type="button" class="plain" onClick={() => setUnfolded(true)}>
            Change
          </button>
        )}
      </p>
      <div class="end">
        {isRunning ? (
          <button type="button" disabled={props.isCancelling} onClick={(event) => event.detail < 2 && props.onCancel()}>
            {props.isCancelling ? "Cancelling" : "Cancel"}
          </button>
        ) : (
          <button type="submit" class="go" disabled={!props.canRun} aria-describedby="sees">
            {hasResult ? "Run again on" : "Run on"} {count}
          </button>
        )}
      </div>
      <p
        class={`sees${props.isWrong || props.isWaiting ? " news" : ""}`}
        id="sees"
        role={isRunning ? undefined : "status"}
      >
        {props.isWrong && <Mark name="failed" />} {props.sees}
      </p>
    </form>
  );
}

/** The field beside the choice: the number of shots, the distance to find, or nothing. */
function Amount({ settings, onChange, isRunning }: RunBarProps) {
  if (settings.ask === "exact") {
    return null;
  }
  const key = settings.ask;
  return (
    <div class="field">
      <label for="amount">{key === "shots" ? "Number of shots" : "Distance to find"}</label>
      <input
        id="amount"
        class="number"
        inputMode={key === "shots" ? "numeric" : "decimal"}
        autocomplete="off"
        value={settings[key]}
        disabled={isRunning}
        onInput={(event) => onChange({ ...settings, [key]: event.currentTarget.value })}
      />
    </div>
  );
}
