/** Where one text is kept for all tabs. */

import type { AuthStorage } from "./types.js";

/** For this page alone: gone with a reload. Instances that share it are as tabs to each other. */
export function memoryStorage(): AuthStorage {
  let kept: string | null = null;
  const listeners = new Set<() => void>();
  return {
    forgets: true,
    read: () => kept,
    write(entry) {
      kept = entry;
      for (const listener of [...listeners]) {
        listener();
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** localStorage: survives a reload and is there for every tab of the origin. */
export function browserStorage(key = "otp-auth"): AuthStorage {
  const area = globalThis.localStorage;
  return {
    read: () => area.getItem(key),
    write(entry) {
      if (entry === null) {
        area.removeItem(key);
      } else {
        area.setItem(key, entry);
      }
    },
    subscribe(listener) {
      const heard = (event: StorageEvent): void => {
        // Null: everything was cleared.
        if (event.storageArea === area && (event.key === key || event.key === null)) {
          listener();
        }
      };
      globalThis.addEventListener("storage", heard);
      return () => globalThis.removeEventListener("storage", heard);
    },
  };
}

/** localStorage where it may be used: there is none outside of browsers, and people can forbid it. */
export function defaultStorage(key: string): AuthStorage {
  try {
    const probe = `${key}?`;
    globalThis.localStorage.setItem(probe, "");
    globalThis.localStorage.removeItem(probe);
    return browserStorage(key);
  } catch {
    return memoryStorage();
  }
}
