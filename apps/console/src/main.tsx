import 'uplot/dist/uPlot.min.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/pages.css';
import './styles/print.css';
import { render } from 'preact';
import { App } from './app/app.js';
import { startTheme } from './app/theme.js';

startTheme();
render(<App />, document.getElementById('app')!);
