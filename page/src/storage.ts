/** What the browser keeps for the page. Where it may keep nothing, or no more, it is kept as long as the page is open. */

class Kept {
  private readonly storage: () => Storage;
  private readonly here = new Map<string, string>();

  constructor(storage: () => Storage) {
    this.storage = storage;
  }

  get(key: string): string | undefined {
    try {
      return this.here.get(key) ?? this.storage().getItem(key) ?? undefined;
    } catch {
      return this.here.get(key);
    }
  }

  /** Keeps a text, and returns whether it outlives a reload. */
  set(key: string, value: string): boolean {
    try {
      this.storage().setItem(key, value);
      this.here.delete(key);
      return true;
    } catch {
      this.here.set(key, value);
      return false;
    }
  }
}

/** For all pages of this address, from now on. */
export const LOCAL = new Kept(() => localStorage);

/** For this tab alone, until it is closed. */
export const OF_TAB = new Kept(() => sessionStorage);
