-- How the store goes on with an upload from its offset: opaque here, null where the store needs nothing.
ALTER TABLE upload ADD COLUMN resume text;
