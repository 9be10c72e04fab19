--! title = { id = "Sasaran program kesehatan menurut kabupaten/kota", en = "Target populations of health programmes by regency" }
--! description = { id = "Bayi di bawah 1 tahun, anak 1-4 tahun, perempuan 15-49 tahun, dan lansia 60 tahun ke atas di setiap kabupaten/kota suatu wilayah.", en = "Infants under 1, children aged 1-4, women aged 15-49 and people of 60 and over in each regency of a region." }
--! audience = { id = "Kesehatan", en = "Health" }
--! notes = [
--!     { id = "Angka yang dirahasiakan (c) tidak diganti taksiran: jumlah, persentase, dan perubahan yang memerlukannya juga kosong.", en = "Withheld numbers (c) are not estimated: sums, shares and changes that need one are empty too." },
--! ]
--!
--! [[parameter]]
--! name = "region"
--! label = { id = "Wilayah", en = "Region" }
--! kind = "region"
--! levels = ["country", "province"]
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
--! label = { id = "Kabupaten/kota", en = "Regency or city" }
--! [[column]]
--! name = "under_1"
--! label = { id = "Bayi (di bawah 1 tahun)", en = "Infants (under 1)" }
--! unit = { id = "orang", en = "people" }
--! status = "under_1_status"
--! [[column]]
--! name = "under_1_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "aged_1_to_4"
--! label = { id = "Anak 1-4 tahun", en = "Children aged 1-4" }
--! unit = { id = "orang", en = "people" }
--! status = "aged_1_to_4_status"
--! [[column]]
--! name = "aged_1_to_4_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "women_15_to_49"
--! label = { id = "Perempuan 15-49 tahun", en = "Women aged 15-49" }
--! unit = { id = "orang", en = "people" }
--! status = "women_15_to_49_status"
--! [[column]]
--! name = "women_15_to_49_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "aged_60_and_over"
--! label = { id = "Lansia (60 tahun ke atas)", en = "Elderly (60 and over)" }
--! unit = { id = "orang", en = "people" }
--! status = "aged_60_and_over_status"
--! [[column]]
--! name = "aged_60_and_over_status"
--! label = { id = "Keterangan", en = "Status" }

WITH places AS (
    SELECT regency.code, regency.label, regency.label_en
    FROM dim_region regency
    LEFT JOIN dim_region province ON province.code = regency.parent
    WHERE regency.level = 'regency' AND $region IN (regency.parent, province.parent)
),
cells AS (
    SELECT region, sex, age, value, status
    FROM population_single_age
    WHERE period = $period
        AND region_level = 'regency'
        AND sex IN ('T', 'P')
        AND age IN ('Y0', 'Y1', 'Y2', 'Y3', 'Y4', 'Y15T29', 'Y30T44', 'Y45T49', 'Y60T64', 'Y_GE65')
)
SELECT
    places.code AS region,
    CASE $lang WHEN 'en' THEN places.label_en ELSE places.label END AS region_name,
    published_sum(value, status) FILTER (WHERE sex = 'T' AND age = 'Y0') AS under_1,
    sum_status(value, status) FILTER (WHERE sex = 'T' AND age = 'Y0') AS under_1_status,
    published_sum(value, status) FILTER (WHERE sex = 'T' AND age IN ('Y1', 'Y2', 'Y3', 'Y4')) AS aged_1_to_4,
    sum_status(value, status) FILTER (WHERE sex = 'T' AND age IN ('Y1', 'Y2', 'Y3', 'Y4')) AS aged_1_to_4_status,
    published_sum(value, status) FILTER (WHERE sex = 'P' AND age IN ('Y15T29', 'Y30T44', 'Y45T49')) AS women_15_to_49,
    sum_status(value, status) FILTER (WHERE sex = 'P' AND age IN ('Y15T29', 'Y30T44', 'Y45T49')) AS women_15_to_49_status,
    published_sum(value, status) FILTER (WHERE sex = 'T' AND age IN ('Y60T64', 'Y_GE65')) AS aged_60_and_over,
    sum_status(value, status) FILTER (WHERE sex = 'T' AND age IN ('Y60T64', 'Y_GE65')) AS aged_60_and_over_status
FROM cells
JOIN places ON places.code = cells.region
GROUP BY places.code, places.label, places.label_en
ORDER BY places.code
