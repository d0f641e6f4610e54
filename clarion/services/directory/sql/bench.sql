-- name: bench_table#
CREATE TABLE bench_rows (
    id text PRIMARY KEY,
    name text,
    city text,
    email text,
    phone text,
    groups text,
    roles text,
    testifies text,
    elected text
);
