/** Somebody, as a disc with their letters; the name is told beside it or to whoever cannot see it. */

import { hue, initials, person } from "./words";

export function Who({ by, here = false }: { by: string; here?: boolean }) {
  const name = person(by);
  return (
    <span
      className={`who hue-${hue(by)}`}
      role="img"
      title={here ? `${name} is here now` : name}
      aria-label={here ? `${name} is here now` : name}
    >
      {initials(by)}
    </span>
  );
}
