--! title = { id = "Lama", en = "Gone" }
--! description = { id = "Tabel lama.", en = "The table that is gone." }
--! audience = { id = "Umum", en = "Everybody" }
--!
--! [[column]]
--! name = "people"
--! label = { id = "Penduduk", en = "People" }
--! status = "status"
--!
--! [[column]]
--! name = "status"
--! label = { id = "Keterangan", en = "Status" }
SELECT value AS people, status
FROM gone
