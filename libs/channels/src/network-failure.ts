import type { DeliveryReason } from '@tocsin/alert-model';

/** DNS answers of getaddrinfo and c-ares: no such name, no answer, or not just now. */
const dnsCodes = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'EAI_NONAME',
  'ENODATA',
  'ESERVFAIL',
  'EDNS',
  'EBADNAME',
]);
const refusedCodes = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EACCES',
  'EPERM',
]);
const tlsCodes =
  /^(?:ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ETLS|EPROTO$|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

/** The reason behind an error code that came up before a request was sent; null when the code says nothing. */
export const networkReason = (code: string | null): DeliveryReason | null => {
  if (code === null) return null;
  if (dnsCodes.has(code)) return 'dns';
  if (refusedCodes.has(code)) return 'connection-refused';
  if (tlsCodes.test(code)) return 'tls';
  if (code === 'ETIMEDOUT' || code === 'ECONNABORTED') return 'timeout-before-send';
  return null;
};
