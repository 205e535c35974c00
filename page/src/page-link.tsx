import type { ComponentChildren } from "preact";

interface PageLinkProps {
  /** The id of the element that it leads to. */
  to: string;
  class?: string;
  onFollow: () => void;
  children: ComponentChildren;
}

/** A link to a place on this page; the fragment of the address is kept, for it has the state of the page. */
export function PageLink({ to, onFollow, children, ...rest }: PageLinkProps) {
  return (
    <a
      href={`#${to}`}
      {...rest}
      onClick={(event) => {
        event.preventDefault();
        onFollow();
      }}
    >
      {children}
    </a>
  );
}
