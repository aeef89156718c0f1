// Tells the server the zone of this clock, in which the next page shows its times.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) {
  document.cookie = `kith_time_zone=${zone}; path=/admin/; max-age=31536000; samesite=lax`;
}
