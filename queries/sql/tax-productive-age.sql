--! title = { id = "Usia produktif dan pekerjaan menurut kecamatan", en = "Productive ages and employment by district" }
--! description = { id = "Penduduk 15-64 tahun dan yang aktif secara ekonomi di setiap kecamatan suatu kabupaten/kota, beserta persentasenya.", en = "People aged 15-64 and those economically active in each district of a regency or city, with shares." }
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
--! [[column]]
--! name = "region"
--! label = { id = "Kode wilayah", en = "Region code" }
--! codes = "region"
--! [[column]]
--! name = "region_name"
--! label = { id = "Kecamatan", en = "District" }
--! [[column]]
--! name = "people"
--! label = { id = "Penduduk", en = "Population" }
--! unit = { id = "orang", en = "people" }
--! status = "people_status"
--! [[column]]
--! name = "people_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "productive"
--! label = { id = "Usia produktif (15-64)", en = "Productive ages (15-64)" }
--! unit = { id = "orang", en = "people" }
--! status = "productive_status"
--! [[column]]
--! name = "productive_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "productive_share"
--! label = { id = "Persentase usia produktif", en = "Share of productive ages" }
--! unit = { id = "%", en = "%" }
--! status = "productive_share_status"
--! [[column]]
--! name = "productive_share_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "active"
--! label = { id = "Aktif secara ekonomi (15-64)", en = "Economically active (15-64)" }
--! unit = { id = "orang", en = "people" }
--! status = "active_status"
--! [[column]]
--! name = "active_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "active_share"
--! label = { id = "Persentase aktif dari usia produktif", en = "Share of the active among productive ages" }
--! unit = { id = "%", en = "%" }
--! status = "active_share_status"
--! [[column]]
--! name = "active_share_status"
--! label = { id = "Keterangan", en = "Status" }

WITH cells AS (
    SELECT region, region_label, region_label_en, age, occupation, value, status
    FROM labour
    WHERE period = $period AND region_parent = $region AND sex = 'T' AND age IN ('T', 'Y15T64') AND occupation IN ('T', 'ACTIVE')
)
SELECT
    everyone.region AS region,
    CASE $lang WHEN 'en' THEN everyone.region_label_en ELSE everyone.region_label END AS region_name,
    everyone.value AS people,
    everyone.status AS people_status,
    productive.value AS productive,
    productive.status AS productive_status,
    percent(productive.value, everyone.value) AS productive_share,
    percent_status(productive.status, everyone.status, everyone.value) AS productive_share_status,
    active.value AS active,
    active.status AS active_status,
    percent(active.value, productive.value) AS active_share,
    percent_status(active.status, productive.status, productive.value) AS active_share_status
FROM cells everyone
JOIN cells productive ON productive.region = everyone.region AND productive.age = 'Y15T64' AND productive.occupation = 'T'
JOIN cells active ON active.region = everyone.region AND active.age = 'Y15T64' AND active.occupation = 'ACTIVE'
WHERE everyone.age = 'T' AND everyone.occupation = 'T'
ORDER BY everyone.region
