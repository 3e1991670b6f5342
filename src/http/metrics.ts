import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { LabelledValue, Reading, StatsView } from './http-options.ts';

export type Metrics = {
  /** Notes one answered request. */
  readonly answered: (request: { method: string; route: string; status: number; seconds: number }) => void;
  /** Everything in the Prometheus text format, with its media type. */
  readonly text: () => Promise<string>;
  readonly mediaType: string;
};

export type MetricsOptions = { readonly stats: () => StatsView; readonly readings: readonly Reading[] };

/** The numbers of `/metrics`: the process, the HTTP requests, the present counts, and what other parts hand in. */
export function buildMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'isfocus_http_request_duration_seconds',
    help: 'Time from the request to its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  for (const reading of [...countReadings(options.stats), ...options.readings]) addReading(registry, reading);
  return {
    answered: ({ method, route, status, seconds }) => requests.observe({ method, route, status }, seconds),
    text: () => registry.metrics(),
    mediaType: registry.contentType,
  };
}

function addReading(registry: Registry, reading: Reading): void {
  const { kind, name, help } = reading;
  const common = { name, help, labelNames: reading.labels ?? [], registers: [registry] };
  if (kind === 'gauge') {
    const gauge: Gauge = new Gauge({
      ...common,
      collect: () => {
        gauge.reset();
        for (const { labels, value } of valuesOf(reading)) gauge.set(labels, value);
      },
    });
    return;
  }
  const counter: Counter = new Counter({
    ...common,
    collect: () => {
      counter.reset();
      for (const { labels, value } of valuesOf(reading)) counter.inc(labels, value);
    },
  });
}

function valuesOf(reading: Reading): readonly LabelledValue[] {
  return reading.labels === undefined ? [{ labels: {}, value: reading.read() }] : reading.read();
}

function countReadings(stats: () => StatsView): readonly Reading[] {
  const count = (kind: Reading['kind'], key: keyof StatsView['counts']) => ({ kind, read: () => stats().counts[key] });
  return [
    { name: 'isfocus_conferences', help: 'Conferences that run here', ...count('gauge', 'conferences') },
    { name: 'isfocus_participants', help: 'Participants connected', ...count('gauge', 'participants') },
    { name: 'isfocus_subscriptions', help: 'Subscriptions to rosters', ...count('gauge', 'subscriptions') },
    { name: 'isfocus_msrp_sessions', help: 'Open MSRP sessions', ...count('gauge', 'msrpSessions') },
    { name: 'isfocus_messages_total', help: 'Messages switched', ...count('counter', 'messages') },
  ];
}
