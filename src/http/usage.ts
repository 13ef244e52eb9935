import type { Socket } from 'node:net';
import type { Request } from 'express';
import { ipKeyGenerator } from 'express-rate-limit';
import { LRUCache } from 'lru-cache';

/** After so long a request counts by 1/e: what was asked a minute ago no longer matters. */
const FADES_MS = 10_000;
/** Addresses that asked last; one that is forgotten begins at 0. */
const KEPT_ADDRESSES = 10_000;
/** One household or customer has a /56 of IPv6 to itself. */
const IPV6_SUBNET = 56;

/** A refusal counts as so many requests: a held connection asks once per second, and a page twice. */
const REFUSAL = 10;

/** How much somebody has asked lately. */
class FadingCount {
  #count = 0;
  #at = 0;

  add(now: number, requests = 1): void {
    this.#count = this.at(now) + requests;
    this.#at = now;
  }

  at(now: number): number {
    return this.#count * Math.exp((this.#at - now) / FADES_MS);
  }
}

/** A caller's, by address and, among those of one address, by connection. */
export interface Usage {
  address: FadingCount;
  connection: FadingCount;
}

/** Whether the first of two callers has asked less lately. */
export function asksLess(one: Usage, other: Usage, now = performance.now()): boolean {
  const by = one.address === other.address ? 'connection' : 'address';
  return one[by].at(now) < other[by].at(now);
}

/** Whether a caller's connection has asked more than `most` times in the last 10 s or so. */
export function hasNoPause({ connection }: Usage, most: number, now = performance.now()): boolean {
  return connection.at(now) > most;
}

/** A caller that asks again and again although it is refused goes behind those who ask as often and were not. */
export function countRefusal({ address, connection }: Usage, now = performance.now()): void {
  address.add(now, REFUSAL);
  connection.add(now, REFUSAL);
}

/** Counts requests by whom they come from. */
export function createUsage(
  now = () => performance.now(),
): (request: Pick<Request, 'ip' | 'socket'>) => Usage {
  const addresses = new LRUCache<string, FadingCount>({ max: KEPT_ADDRESSES });
  const connections = new WeakMap<Socket, FadingCount>();
  return ({ ip = '', socket }) => {
    const key = ipKeyGenerator(ip, IPV6_SUBNET);
    const address = addresses.get(key) ?? new FadingCount();
    addresses.set(key, address);
    const connection = connections.get(socket) ?? new FadingCount();
    connections.set(socket, connection);
    address.add(now());
    connection.add(now());
    return { address, connection };
  };
}
