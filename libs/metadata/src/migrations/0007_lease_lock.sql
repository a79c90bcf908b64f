-- The advisory lock that the process which holds an upload's lease keeps in a session of its own: where nobody holds it
-- any more, the process is gone and so is its lease. Null: only time ends the lease.
ALTER TABLE upload ADD COLUMN lease_lock bigint;
