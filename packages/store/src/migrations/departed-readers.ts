/** A reader that stopped in order is kept for a while: whoever would retire its namespace sees who used it. */
export const departedReaders = (s: string): string => `
  ALTER TABLE ${s}.readers ADD COLUMN left_at timestamptz;
`;
