/** An age as kubectl writes it (apimachinery pkg/util/duration: HumanDuration). `ms` milliseconds. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return withRest(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return withRest(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 24 * 8) return withRest(days, 'd', hours % 24, 'h');
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.floor(days / 365);
  return hours < 24 * 365 * 8 ? withRest(years, 'y', days % 365, 'd') : `${years}y`;
}

function withRest(whole: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${whole}${unit}` : `${whole}${unit}${rest}${restUnit}`;
}

/** Age of an ISO time at `now`; `<unknown>` when there is none. */
export function age(iso: string | undefined, now: Date): string {
  return iso === undefined ? '<unknown>' : humanDuration(now.getTime() - Date.parse(iso));
}

/** Seconds for people: one digit after the point. */
export function inSeconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

/** Go's time.RFC1123Z in UTC. */
export function rfc1123(iso: string | undefined): string {
  if (iso === undefined) return '';
  return new Date(iso).toUTCString().replace('GMT', '+0000');
}
