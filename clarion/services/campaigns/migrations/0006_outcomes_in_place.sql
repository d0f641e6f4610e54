-- What became of a call is written once, soon after the call: with room beside it no index is touched.
ALTER TABLE calls SET (fillfactor = 55);
