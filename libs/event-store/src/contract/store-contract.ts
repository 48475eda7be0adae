import { describe } from 'vitest';
import type { StoreSession } from '../store.ts';
import { afterwardsContract } from './afterwards-contract.ts';
import { channelsContract } from './channels-contract.ts';
import { conditionsContract } from './conditions-contract.ts';
import { heldContract } from './held-contract.ts';
import { ledgerContract } from './ledger-contract.ts';
import { logContract } from './log-contract.ts';
import { modelsContract } from './models-contract.ts';
import { outcomesContract } from './outcomes-contract.ts';
import { repairsContract } from './repairs-contract.ts';
import { silencesContract } from './silences-contract.ts';
import { upkeepContract } from './upkeep-contract.ts';
import { watchContract } from './watch-contract.ts';

/** What every store can do. Tests may share one store: each looks at what it wrote itself. */
export interface ContractStore {
  readonly transaction: <Result>(name: string, work: (session: StoreSession) => Promise<Result>) => Promise<Result>;
  readonly read: <Result>(work: (session: StoreSession) => Promise<Result>) => Promise<Result>;
}

/** Holds a store to what the service builds upon. Run for Postgres and for the twin in memory. */
export const storeContract = (name: string, store: ContractStore): void => {
  describe(`the contract of ${name}`, () => {
    logContract(store);
    modelsContract(store);
    outcomesContract(store);
    conditionsContract(store);
    heldContract(store);
    repairsContract(store);
    ledgerContract(store);
    afterwardsContract(store);
    channelsContract(store);
    silencesContract(store);
    watchContract(store);
    upkeepContract(store);
  });
};
