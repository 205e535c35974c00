/**
 * Puts newer elements in the place of older ones and keeps every element that is there already: what is unfolded, chosen,
 * scrolled, selected or focused stays so.
 */

/** Makes the content of an element that of another one, which is used up. */
export function morph(old: Element, newer: DocumentFragment | Element): void {
  let at: ChildNode | null = old.firstChild;
  for (const child of [...newer.childNodes]) {
    const kept = firstLike(at, child);
    if (!kept) {
      old.insertBefore(child, at);
      continue;
    }
    while (at !== kept) {
      at = dropped(at);
    }
    update(kept, child);
    at = kept.nextSibling;
  }
  while (at) {
    at = dropped(at);
  }
}

/** The first of the old nodes from a place on that stands for the same thing as a newer one. */
function firstLike(from: ChildNode | null, newer: ChildNode): ChildNode | null {
  for (let node = from; node; node = node.nextSibling) {
    if (node.nodeName === newer.nodeName && keyOf(node) === keyOf(newer)) {
      return node;
    }
  }
  return null;
}

/** What tells elements of one kind apart: a heading, the line to which something is folded, or a name. */
function keyOf(node: Node): string {
  if (!(node instanceof Element)) {
    return "";
  }
  const title = node.querySelector(":scope > header > :is(h2, h3), :scope > summary > b");
  return title?.textContent ?? (node.id || node.getAttribute("data-simulator") || node.classList[0] || "");
}

function dropped(node: ChildNode | null): ChildNode | null {
  const next = node?.nextSibling ?? null;
  node?.remove();
  return next;
}

function update(old: ChildNode, newer: ChildNode): void {
  if (old instanceof HTMLTemplateElement && newer instanceof HTMLTemplateElement) {
    old.content.replaceChildren(newer.content);
  } else if (old instanceof Element && newer instanceof Element) {
    updateAttributes(old, newer);
    morph(old, newer);
  } else if (old.nodeValue !== newer.nodeValue) {
    old.nodeValue = newer.nodeValue;
  }
}

/** Attributes that a reader changes. */
const THEIRS = new Set(["open", "checked"]);

function updateAttributes(old: Element, newer: Element): void {
  for (const name of old.getAttributeNames()) {
    if (!newer.hasAttribute(name) && !THEIRS.has(name)) {
      old.removeAttribute(name);
    }
  }
  for (const name of newer.getAttributeNames()) {
    const value = newer.getAttribute(name) ?? "";
    if (old.getAttribute(name) !== value && !THEIRS.has(name)) {
      old.setAttribute(name, value);
    }
  }
}
