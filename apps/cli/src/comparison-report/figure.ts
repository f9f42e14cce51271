import { html, type Content, type Html } from "./markup.js";

/** A table behind a plot: what it shows, as numbers. */
export interface Numbers {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A plot with its heading, what it says in words, and its numbers. `id` is unique in the page and plain. */
export const figure = (plot: {
  id: string;
  title: string;
  /** What the plot says, in words: shown below it, and read in its place. */
  says: string;
  body: Content;
  numbers: Numbers;
}): Html =>
  html`<figure class="plot" id="${plot.id}">
    <h3 id="${plot.id}-title">${plot.title}</h3>
    <div role="img" aria-labelledby="${plot.id}-title" aria-describedby="${plot.id}-says">${plot.body}</div>
    <figcaption id="${plot.id}-says">${plot.says}</figcaption>
    <details class="numbers">
      <summary>Numbers<span class="hidden"> of: ${plot.title}</span></summary>
      ${dataTable(plot.title, plot.numbers)}
    </details>
  </figure>`;

/** A table that scrolls sideways where it is too wide, also by keyboard. The first cell of a row names it. */
export const dataTable = (name: string, { head, rows }: Numbers): Html =>
  html`<div class="scroll" role="region" tabindex="0" aria-label="Table: ${name}">
    <table>
      <caption class="hidden">
        ${name}
      </caption>
      <thead>
        <tr>
          ${head.map((cell) => html`<th scope="col">${cell}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell, place) => (place === 0 ? html`<th scope="row"><bdi>${cell}</bdi></th>` : html`<td>${cell}</td>`))}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
