import { shortForm } from './short-form.js';

shortForm((group) => group !== 'one kernel' && !group.startsWith('a bad canary'));
