--! title = { id = "Perubahan usia produktif antara dua semester", en = "Change of productive ages between two semesters" }
--! description = { id = "Penduduk 15-64 tahun dan yang aktif secara ekonomi di setiap kecamatan suatu kabupaten/kota pada dua semester, beserta perubahannya.", en = "People aged 15-64 and those economically active in each district of a regency or city in two semesters, with the change." }
--! audience = { id = "Pajak", en = "Taxation" }
--! notes = [
--!     { id = "Aktif secara ekonomi berarti jenis pekerjaan pada register selain belum/tidak bekerja, mengurus rumah tangga, pelajar/mahasiswa, dan pensiunan.", en = "Economically active means a registered occupation other than not working, keeping house, pupil or student, and retired." },
--!     { id = "Angka yang dirahasiakan (c) tidak diganti taksiran: jumlah, persentase, dan perubahan yang memerlukannya juga kosong.", en = "Withheld numbers (c) are not estimated: sums, shares and changes that need one are empty too." },
--! ]
--!
--! [[parameter]]
--! name = "region"
--! label = { id = "Kabupaten/kota", en = "Regency or city" }
--! kind = "region"
--! levels = ["regency"]
--! default = "first"
--!
--! [[parameter]]
--! name = "period"
--! label = { id = "Periode", en = "Period" }
--! kind = "period"
--! default = "newest"
--!
--! [[parameter]]
--! name = "before"
--! label = { id = "Periode pembanding", en = "Period to compare with" }
--! kind = "period"
--! default = "previous"
--!
--! [[column]]
--! name = "region"
--! label = { id = "Kode wilayah", en = "Region code" }
--! codes = "region"
--! [[column]]
--! name = "region_name"
--! label = { id = "Kecamatan", en = "District" }
--! [[column]]
--! name = "before_productive"
--! label = { id = "Usia produktif sebelumnya", en = "Productive ages before" }
--! unit = { id = "orang", en = "people" }
--! status = "before_productive_status"
--! [[column]]
--! name = "before_productive_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "productive"
--! label = { id = "Usia produktif", en = "Productive ages" }
--! unit = { id = "orang", en = "people" }
--! status = "productive_status"
--! [[column]]
--! name = "productive_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "change"
--! label = { id = "Perubahan", en = "Change" }
--! unit = { id = "orang", en = "people" }
--! status = "change_status"
--! [[column]]
--! name = "change_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "growth"
--! label = { id = "Pertumbuhan", en = "Growth" }
--! unit = { id = "%", en = "%" }
--! status = "growth_status"
--! [[column]]
--! name = "growth_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "before_active"
--! label = { id = "Aktif sebelumnya", en = "Active before" }
--! unit = { id = "orang", en = "people" }
--! status = "before_active_status"
--! [[column]]
--! name = "before_active_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "active"
--! label = { id = "Aktif secara ekonomi", en = "Economically active" }
--! unit = { id = "orang", en = "people" }
--! status = "active_status"
--! [[column]]
--! name = "active_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "active_growth"
--! label = { id = "Pertumbuhan yang aktif", en = "Growth of the active" }
--! unit = { id = "%", en = "%" }
--! status = "active_growth_status"
--! [[column]]
--! name = "active_growth_status"
--! label = { id = "Keterangan", en = "Status" }

WITH cells AS (
    SELECT period, region, region_label, region_label_en, occupation, value, status
    FROM labour
    WHERE period IN ($period, $before) AND region_parent = $region AND sex = 'T' AND age = 'Y15T64' AND occupation IN ('T', 'ACTIVE')
)
SELECT
    now.region AS region,
    CASE $lang WHEN 'en' THEN now.region_label_en ELSE now.region_label END AS region_name,
    before.value AS before_productive,
    before.status AS before_productive_status,
    now.value AS productive,
    now.status AS productive_status,
    now.value - before.value AS change,
    worst_status(now.status, before.status) AS change_status,
    percent(now.value - before.value, before.value) AS growth,
    percent_status(now.status, before.status, before.value) AS growth_status,
    active_before.value AS before_active,
    active_before.status AS before_active_status,
    active.value AS active,
    active.status AS active_status,
    percent(active.value - active_before.value, active_before.value) AS active_growth,
    percent_status(active.status, active_before.status, active_before.value) AS active_growth_status
FROM cells now
JOIN cells before ON before.region = now.region AND before.period = $before AND before.occupation = 'T'
JOIN cells active ON active.region = now.region AND active.period = $period AND active.occupation = 'ACTIVE'
JOIN cells active_before ON active_before.region = now.region AND active_before.period = $before AND active_before.occupation = 'ACTIVE'
WHERE now.period = $period AND now.occupation = 'T'
ORDER BY now.region
