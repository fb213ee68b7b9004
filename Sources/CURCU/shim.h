// The system's liburcu. Only CStillpoint includes its headers (with the flavour's own settings), so this map
// is here for its provider hint: "apt install liburcu-dev".
