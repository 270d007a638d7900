"""The Leaderboard's criteria, one class each: fed with `EgoTick`s in order, they report `Event`s."""
