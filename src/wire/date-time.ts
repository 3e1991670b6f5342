/** The dateTime of XML Schema (RFC 3339) as milliseconds since the epoch; plain arithmetic, always UTC on output. */

const dayMs = 86_400_000;

/** `2026-11-22T18:00:00Z`, with `.mmm` only when there are milliseconds. `ms` lies in the years 0 to 9999. */
export function writeDateTime(ms: number): string {
  const days = Math.floor(ms / dayMs);
  const { year, month, day } = civilDate(days);
  const rest = ms - days * dayMs;
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0');
  const time = [rest / 3_600_000, (rest / 60_000) % 60, (rest / 1_000) % 60].map((part) => pad(Math.floor(part)));
  const fraction = rest % 1_000 === 0 ? '' : `.${pad(Math.floor(rest % 1_000), 3)}`;
  return `${pad(year, 4)}-${pad(month)}-${pad(day)}T${time.join(':')}${fraction}Z`;
}

/** Milliseconds since the epoch, a missing offset read as UTC; null when the text is no dateTime. */
export function readDateTime(text: string): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))?$/.exec(
    text.trim(),
  );
  if (match === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const days = epochDay({ year, month, day });
  const date = civilDate(days);
  // A day that its month does not have comes back as another date.
  if (date.month !== month || date.day !== day || hour > 23 || minute > 59 || second > 59) return null;
  const fraction = Math.floor(Number(`0.${match[7] ?? '0'}`) * 1_000);
  const offset = (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0)) * (match[8] === '-' ? -60_000 : 60_000);
  return days * dayMs + (hour * 3_600 + minute * 60 + second) * 1_000 + fraction - offset;
}

type CivilDate = { readonly year: number; readonly month: number; readonly day: number };

// Both count in years that begin with March, so that the leap day is the last of its year; an era is 400 such years.
const eraDays = 146_097;
const eraShift = 719_468;

function civilDate(days: number): CivilDate {
  const shifted = days + eraShift;
  const era = Math.floor(shifted / eraDays);
  const dayOfEra = shifted - era * eraDays;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function epochDay({ year, month, day }: CivilDate): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * eraDays + dayOfEra - eraShift;
}
