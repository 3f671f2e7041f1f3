"""The systems that are asked, each behind `system.System`, and how they are started, loaded and stopped."""
