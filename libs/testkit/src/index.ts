export { withTestDatabase, type TestDatabase } from './postgres.js';
