"""What items were before, and each change of them: `storage_itemversion`, which the database's triggers fill."""
