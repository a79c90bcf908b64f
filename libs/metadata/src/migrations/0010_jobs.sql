-- Work in the background. Statuses are the published enumeration; that a cancel was asked for, or that a worker died, is a
-- fact about a job and not a status of it.
CREATE TABLE job (
  id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kind                text NOT NULL,
  status              text NOT NULL DEFAULT 'waiting'
                      CHECK (status IN ('waiting', 'running', 'done', 'canceled', 'errored')),
  requested_by        text NOT NULL,
  is_scheduled        boolean NOT NULL DEFAULT false,
  -- The job that failed, where this one tries it again. No foreign key: the older of the two is forgotten first.
  retry_from_id       uuid,
  retries_left        integer NOT NULL DEFAULT 0 CHECK (retries_left >= 0),
  retries_total       integer NOT NULL DEFAULT 0,
  -- What it takes of a worker: {"scrub": 1}.
  capacity            jsonb NOT NULL,
  parameters          jsonb NOT NULL DEFAULT '{}',
  deadline_ms         bigint,
  stop_timeout_ms     bigint NOT NULL DEFAULT 10000,
  created_at          timestamptz NOT NULL DEFAULT now(),
  scheduled_at        timestamptz NOT NULL DEFAULT now(),
  started_at          timestamptz,
  last_updated        timestamptz NOT NULL DEFAULT now(),
  finished_at         timestamptz,
  worker_id           uuid,
  -- Grows with each claim: what a worker writes names its own, so that one which was taken for dead can write nothing.
  fence               bigint NOT NULL DEFAULT 0,
  heartbeat_at        timestamptz,
  -- How often a worker died over it.
  losses              integer NOT NULL DEFAULT 0,
  cancel_requested_at timestamptz,
  cancel_requested_by text,
  progress            jsonb,
  -- What the next run of the job needs to go on.
  state               jsonb,
  -- Not jsonb, which would put the counts in another order.
  result              json,
  error               text,
  -- Errored, and nothing tries it again.
  is_dead             boolean NOT NULL DEFAULT false,
  CHECK ((status = 'running') = (heartbeat_at IS NOT NULL)),
  CHECK ((status IN ('done', 'canceled', 'errored')) = (finished_at IS NOT NULL))
);
CREATE INDEX job_waiting_idx ON job (scheduled_at, id) WHERE status = 'waiting';
CREATE INDEX job_running_idx ON job (heartbeat_at) WHERE status = 'running';
CREATE INDEX job_finished_idx ON job (finished_at, id) WHERE finished_at IS NOT NULL;
CREATE INDEX job_scheduled_at_idx ON job (scheduled_at, id);

CREATE TABLE job_log (
  job_id      uuid NOT NULL REFERENCES job,
  line_number integer NOT NULL,
  at          timestamptz NOT NULL DEFAULT now(),
  data        text NOT NULL,
  PRIMARY KEY (job_id, line_number)
);

-- One row per kind that a jobrunner knows. The default is what the settings of the jobrunner that started last say.
CREATE TABLE schedule (
  kind          text PRIMARY KEY,
  default_spec  text NOT NULL,
  -- Set by an operator; null: the default applies.
  override_spec text,
  set_by        text,
  retries       integer NOT NULL DEFAULT 0,
  -- Null: off. The row's lock decides who fires.
  next_at       timestamptz,
  last_fired_at timestamptz
);

-- Processes that run jobs, for as long as they live; one that died stays listed for a day.
CREATE TABLE worker (
  id           uuid PRIMARY KEY,
  host         text NOT NULL,
  process_id   integer NOT NULL,
  kinds        text[] NOT NULL,
  capacity     jsonb NOT NULL,
  is_stopping  boolean NOT NULL DEFAULT false,
  started_at   timestamptz NOT NULL DEFAULT now(),
  heartbeat_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT, UPDATE, DELETE ON job, job_log, schedule, worker TO entrepot_jobrunner;
