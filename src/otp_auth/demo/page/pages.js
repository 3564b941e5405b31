import { fill, h } from "./dom.js";
import { actionButton } from "./forms.js";
import { loading } from "./loading.js";

/** A list that comes in pages: `row(item)` draws one, a button brings more. */
export function pages({ ask, row, none }) {
  return loading(() => ask({}), (first) => {
    if (first.items.length === 0) return h("p", { class: "hint" }, none);
    const list = h("ul", { class: "rows" }, first.items.map(row));
    const rest = h("div");
    const offer = (cursor) => fill(rest, cursor ? actionButton({ label: "Show more", work: () => more(cursor) }) : null);
    const more = async (cursor) => {
      const next = await ask({ cursor });
      const items = next.items.map(row);
      list.append(...items);
      offer(next.next_cursor);
      items[0]?.querySelector("h3, button, p")?.scrollIntoView({ block: "nearest" });
    };
    offer(first.next_cursor);
    return [list, rest];
  });
}
