-- Room for one more version of every row of a page, which is a little longer than the first.
ALTER TABLE calls SET (fillfactor = 45);
