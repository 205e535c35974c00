/** Says beneath each table that is wider than its place which of its columns are seen. */

/** Looks at all tables of an element, and again whenever they are scrolled or change their size; returns what ends that. */
export function tellWhatIsSeen(box: Element): () => void {
  const places = [...box.querySelectorAll<HTMLElement>(".scroll")].filter((place) => place.querySelector("thead"));
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      tell((target.closest(".scroll") ?? target) as HTMLElement);
    }
  });
  const onScroll = (event: Event) => tell(event.currentTarget as HTMLElement);
  for (const place of places) {
    place.addEventListener("scroll", onScroll, { passive: true });
    observer.observe(place);
    observer.observe(place.querySelector("table") as Element);
  }
  return () => {
    observer.disconnect();
    for (const place of places) {
      place.removeEventListener("scroll", onScroll);
    }
  };
}

function tell(place: HTMLElement): void {
  const text = place.scrollWidth > place.clientWidth + 1 ? columnsSeen(place) : "";
  const next = place.nextElementSibling;
  const note = next?.classList.contains("seen") ? next : undefined;
  if (!text) {
    note?.remove();
  } else if (note) {
    note.textContent = text;
  } else {
    const made = document.createElement("p");
    made.className = "seen soft small";
    made.textContent = text;
    place.after(made);
  }
}

/** The columns after that of the names that are whole in sight: `columns 1 to 7 of 14`. */
function columnsSeen(place: HTMLElement): string {
  const [names, ...heads] = [...place.querySelectorAll<HTMLElement>("thead th")].filter((head) => head.offsetWidth > 0);
  const { left, right } = place.getBoundingClientRect();
  const isPinned = names && getComputedStyle(names).position === "sticky";
  const from = isPinned ? names.getBoundingClientRect().right : left;
  const seen = heads.flatMap((head, at) => {
    const { left: begin, right: end } = head.getBoundingClientRect();
    return begin >= from - 1 && end <= right + 1 ? [at + 1] : [];
  });
  return seen.length > 0 ? `Columns ${seen[0]} to ${seen.at(-1)} of ${heads.length}` : `${heads.length} columns`;
}
