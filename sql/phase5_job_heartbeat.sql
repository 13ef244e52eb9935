-- Phase 5: a worker says not only that its process lives, but that it took a job from the queue and ended it. A process
-- whose queue connection hangs still beats; only the job shows that something is being done.
ALTER TABLE ami_workers ADD COLUMN last_job_at timestamptz;
-- A worker that stops leaves its row for a while, so that what it did last is still known while another one starts.
ALTER TABLE ami_workers ADD COLUMN retired_at timestamptz;

-- When a batch was last written or given up, whosever it was: one look at the end of the index.
CREATE INDEX ami_publish_batches_last_finished ON ami_publish_batches (finished_at) WHERE state IN ('done', 'failed');
