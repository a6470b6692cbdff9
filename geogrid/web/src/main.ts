// Puts the parts together.
import './app.css';
import { startApp } from './app';

void startApp();
