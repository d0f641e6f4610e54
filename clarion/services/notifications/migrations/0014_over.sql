-- When a matter was last asked for, so that one which is over long enough can be told; for those before, when this came.
ALTER TABLE contents ADD COLUMN saved_at timestamptz NOT NULL DEFAULT now();
