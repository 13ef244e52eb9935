-- Phase 5: a worker says not only that its process lives, but that it took a job from the queue and ended it. A process
-- whose queue connection hangs still beats; only the job shows that something is being done.
ALTER TABLE ami_workers ADD COLUMN last_job_at timestamptz;
-- A worker that stops leaves its row for a while, so that what it did last is still known while another one starts.
ALTER TABLE ami_workers ADD COLUMN retired_at timestamptz;
