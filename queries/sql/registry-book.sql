--! title = { id = "Buku semester: penduduk, keluarga, dan status kawin", en = "Semester book: population, households and marital status" }
--! description = { id = "Penduduk menurut jenis kelamin, jumlah keluarga, dan status kawin di setiap kecamatan suatu kabupaten/kota.", en = "Population by sex, households and marital status in each district of a regency or city." }
--! audience = { id = "Kependudukan", en = "Civil registry" }
--! notes = [
--!     { id = "Rasio jenis kelamin adalah banyaknya laki-laki untuk setiap 100 perempuan.", en = "The sex ratio is the number of men for every 100 women." },
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
--! name = "men"
--! label = { id = "Laki-laki", en = "Men" }
--! unit = { id = "orang", en = "people" }
--! status = "men_status"
--! [[column]]
--! name = "men_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "women"
--! label = { id = "Perempuan", en = "Women" }
--! unit = { id = "orang", en = "people" }
--! status = "women_status"
--! [[column]]
--! name = "women_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "sex_ratio"
--! label = { id = "Rasio jenis kelamin", en = "Sex ratio" }
--! unit = { id = "laki-laki per 100 perempuan", en = "men per 100 women" }
--! status = "sex_ratio_status"
--! [[column]]
--! name = "sex_ratio_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "households"
--! label = { id = "Keluarga", en = "Households" }
--! unit = { id = "keluarga", en = "households" }
--! status = "households_status"
--! [[column]]
--! name = "households_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "never_married"
--! label = { id = "Belum kawin", en = "Never married" }
--! unit = { id = "orang", en = "people" }
--! status = "never_married_status"
--! [[column]]
--! name = "never_married_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "married"
--! label = { id = "Kawin", en = "Married" }
--! unit = { id = "orang", en = "people" }
--! status = "married_status"
--! [[column]]
--! name = "married_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "divorced"
--! label = { id = "Cerai hidup", en = "Divorced" }
--! unit = { id = "orang", en = "people" }
--! status = "divorced_status"
--! [[column]]
--! name = "divorced_status"
--! label = { id = "Keterangan", en = "Status" }
--! [[column]]
--! name = "widowed"
--! label = { id = "Cerai mati", en = "Widowed" }
--! unit = { id = "orang", en = "people" }
--! status = "widowed_status"
--! [[column]]
--! name = "widowed_status"
--! label = { id = "Keterangan", en = "Status" }

WITH people AS (
    SELECT region, region_label, region_label_en, sex, value, status
    FROM population
    WHERE period = $period AND region_parent = $region AND age = 'T'
),
families AS (
    SELECT region, value, status
    FROM households
    WHERE period = $period AND region_parent = $region AND household_size_level = 'total'
),
statuses AS (
    SELECT region, marital, value, status
    FROM marital
    WHERE period = $period AND region_parent = $region AND sex = 'T'
)
SELECT
    everyone.region AS region,
    CASE $lang WHEN 'en' THEN everyone.region_label_en ELSE everyone.region_label END AS region_name,
    everyone.value AS people,
    everyone.status AS people_status,
    men.value AS men,
    men.status AS men_status,
    women.value AS women,
    women.status AS women_status,
    percent(men.value, women.value) AS sex_ratio,
    percent_status(men.status, women.status, women.value) AS sex_ratio_status,
    families.value AS households,
    families.status AS households_status,
    never_married.value AS never_married,
    never_married.status AS never_married_status,
    married.value AS married,
    married.status AS married_status,
    divorced.value AS divorced,
    divorced.status AS divorced_status,
    widowed.value AS widowed,
    widowed.status AS widowed_status
FROM people everyone
JOIN people men ON men.region = everyone.region AND men.sex = 'L'
JOIN people women ON women.region = everyone.region AND women.sex = 'P'
JOIN families ON families.region = everyone.region
JOIN statuses never_married ON never_married.region = everyone.region AND never_married.marital = 'S'
JOIN statuses married ON married.region = everyone.region AND married.marital = 'M'
JOIN statuses divorced ON divorced.region = everyone.region AND divorced.marital = 'D'
JOIN statuses widowed ON widowed.region = everyone.region AND widowed.marital = 'W'
WHERE everyone.sex = 'T'
ORDER BY everyone.region
