typedef int od_empty;
