import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { createTestDatabase } from '@tocsin/testing';
import { storeContract } from '../contract/store-contract.ts';
import { createPostgresStore } from './postgres-store.ts';

const { pool } = await createTestDatabase();

storeContract(
  'the store on Postgres',
  createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion }),
);
