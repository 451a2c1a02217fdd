CREATE TABLE home (id TEXT NOT NULL, founded BIGINT NOT NULL);
INSERT INTO home (id, founded) VALUES ('', 0);
INSERT INTO counters (name, value) VALUES ('handed_over', 0);
INSERT INTO counters (name, value) VALUES ('projected', 0);
INSERT INTO counters (name, value) VALUES ('erp_changes', 0);
INSERT INTO counters (name, value) VALUES ('erp_read', 0);
