-- Which worker processes live, and whether they work.
CREATE TABLE ami_workers (
  worker_id    uuid        PRIMARY KEY,
  host         text        NOT NULL,
  pid          integer     NOT NULL,
  concurrency  smallint    NOT NULL,
  started_at   timestamptz NOT NULL DEFAULT now(),
  heartbeat_at timestamptz NOT NULL DEFAULT now(),
  last_job_at  timestamptz,
  retired_at   timestamptz
);
COMMENT ON TABLE ami_workers IS 'Worker processes, one row each. A row is deleted a day after its last sign of life.';
COMMENT ON COLUMN ami_workers.host IS 'Host name of the machine or container.';
COMMENT ON COLUMN ami_workers.pid IS 'Process id on that host.';
COMMENT ON COLUMN ami_workers.concurrency IS 'Batches that it works on at once.';
COMMENT ON COLUMN ami_workers.heartbeat_at IS 'Last sign of life; one comes every few seconds.';
COMMENT ON COLUMN ami_workers.last_job_at IS
  'When it last took a job from the queue and ended it. A process whose queue connection hangs still sends '
  'heartbeats; only a job shows that work is done.';
COMMENT ON COLUMN ami_workers.retired_at IS
  'When it stopped in good order. The row stays for a while, so that its last job is still known while another '
  'worker starts.';
