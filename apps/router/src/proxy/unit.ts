import { POINTS, USER_GROUPS, assignmentPoint, userGroup } from '../domain/assignment.js';
import { type RequestHead, setUnitCookie } from '../domain/headers.js';

/** Who a request is from, as the assignment sees it. */
export interface Unit {
  /** 0..9999 */
  readonly point: number;
  /** 0..63 */
  readonly group: number;
  /** To be set, so that the next request is from the same. */
  readonly newCookie: string | null;
}

/** Finds the user by header or cookie; else makes a cookie, if that is on; else the request stands for itself. */
export function findUnit(
  head: RequestHead,
  options: { readonly salt: string; readonly setCookie: boolean; readonly random: () => number },
): Unit {
  const { salt, setCookie, random } = options;
  const known = head.user ?? head.cookieUnit;
  if (known === null && !setCookie) {
    return { point: Math.floor(random() * POINTS), group: Math.floor(random() * USER_GROUPS), newCookie: null };
  }
  const unit = known ?? Array.from({ length: 4 }, () => hex32(random())).join('');
  const newCookie = known === null ? setUnitCookie(unit) : null;
  return { point: assignmentPoint(salt, unit), group: userGroup(unit), newCookie };
}

function hex32(uniform: number): string {
  return Math.floor(uniform * 0x1_0000_0000)
    .toString(16)
    .padStart(8, '0');
}
