"""Schema history of the kiosk's store, run by kiosk.store.migrate inside one transaction."""
