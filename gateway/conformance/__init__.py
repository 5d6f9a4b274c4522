"""What our region demands: published types and profiles, held in memory."""
