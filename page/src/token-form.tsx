import { useState } from "preact/hooks";
import { get, sentence } from "./api";
import { Mark } from "./marks";
import type { DoorInfo } from "./messages";
import { setToken } from "./token";

/** Asks for a token, and hands over what the door says to whoever has it. */
export function TokenForm({ onDoor }: { onDoor: (door: DoorInfo) => void }) {
  const [value, setValue] = useState("");
  const [wrong, setWrong] = useState("");
  const enter = async () => {
    setToken(value.trim());
    try {
      onDoor(await get<DoorInfo>("v1/door"));
    } catch (error) {
      setWrong(sentence(error));
    }
  };
  return (
    <main class="sign-in">
      <h2>This gateway asks for a token</h2>
      <p class="soft">
        Whoever runs it gives tokens out. This one is kept in this tab until it is closed, and sent to {location.host}{" "}
        only.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void enter();
        }}
      >
        <div class="field">
          <label for="token">Token</label>
          <input
            id="token"
            type="password"
            autocomplete="current-password"
            required
            value={value}
            aria-invalid={wrong !== ""}
            onInput={(event) => setValue(event.currentTarget.value)}
          />
        </div>
        <button type="submit" class="go">
          Go on
        </button>
      </form>
      <p role="status">
        {wrong && (
          <>
            <Mark name="failed" /> {wrong}
          </>
        )}
      </p>
    </main>
  );
}
