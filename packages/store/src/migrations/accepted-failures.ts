/** How many set-aside texts a run accepts, whoever brings it to its end. */
export const acceptedFailures = (s: string): string => `
ALTER TABLE ${s}.runs ADD COLUMN accept_failures integer NOT NULL DEFAULT 0;
`;
