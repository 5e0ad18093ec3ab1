-- Short messages: the numbers of modules, and which way a job may take.

ALTER TABLE jobs ADD COLUMN via TEXT NOT NULL DEFAULT 'tcp';

-- A number whose module has not told its IMEI yet has none.
CREATE TABLE numbers (
    number TEXT PRIMARY KEY,
    imei TEXT NOT NULL,
    password TEXT NOT NULL,
    error TEXT NOT NULL
) WITHOUT ROWID;

CREATE UNIQUE INDEX numbers_imei ON numbers (imei) WHERE imei <> '';
