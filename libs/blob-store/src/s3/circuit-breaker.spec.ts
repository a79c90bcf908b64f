import { beforeEach, describe, expect, it } from 'vitest';
import { CircuitBreaker } from './circuit-breaker.js';

describe('circuit breaker', () => {
  let nowMs: number;
  let circuit: CircuitBreaker;

  beforeEach(() => {
    nowMs = 1000;
    circuit = new CircuitBreaker({ failures: 3, sustainedMs: 5000, openMs: 2000, now: () => nowMs });
  });

  function failAt(...times: number[]): void {
    for (const time of times) {
      nowMs = time;
      circuit.noteFailure();
    }
  }

  it('stays closed through single failures, and through many in a short time', () => {
    failAt(1000, 1001, 1002, 1003, 1004, 5999);
    expect(circuit.isOpen).toBe(false);
    circuit.noteSuccess();
    failAt(9000, 20_000);
    expect(circuit.isOpen).toBe(false);
    expect(circuit.admits()).toBe(true);
  });

  it('opens when failures last, and lets one through from time to time', () => {
    failAt(1000, 3000, 6000);
    expect(circuit.isOpen).toBe(true);
    expect(circuit.admits()).toBe(false);
    nowMs = 8000;
    expect([circuit.admits(), circuit.admits()]).toEqual([true, false]);
    circuit.noteFailure();
    expect(circuit.admits()).toBe(false);
    nowMs = 10_000;
    expect(circuit.admits()).toBe(true);
  });

  it('closes with the first success', () => {
    failAt(1000, 3000, 6000);
    circuit.noteSuccess();
    expect(circuit.isOpen).toBe(false);
    expect([circuit.admits(), circuit.admits()]).toEqual([true, true]);
    failAt(6001, 6002);
    expect(circuit.isOpen).toBe(false);
  });
});
