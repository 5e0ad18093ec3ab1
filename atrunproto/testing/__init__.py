"""What tests of AT software need: links in memory, an emulated module in one line, and recorded dialogues."""
