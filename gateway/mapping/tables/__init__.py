"""Tables: exports (CSV, Excel …) cut into records that the mapping engine reads as it reads messages."""
