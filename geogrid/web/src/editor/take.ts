// Tools that take atoms: brush, loop, and a new cell of what was taken.
import type { AtomFacts, Command, Feature, LonLat } from '../api/types';
import { atomsInside, create, paint, type Taken } from './commands';
import { Gesture, type Press } from './gesture';

const MOVED_PX = 6;

// Above the finest level whole cells of the next finer one are taken.
abstract class Take extends Gesture {
  protected readonly units = new Set<string>();
  protected line: LonLat[] = [];
  private from: Press['point'] = { x: 0, y: 0 };

  protected abstract command(): Command;

  override press(at: Press): boolean {
    if (!this.isReady || !this.session.ground.isNear) return false;
    this.session.ground.look();
    this.from = at.point;
    return true;
  }

  override drop(): void {
    this.units.clear();
    this.line = [];
    super.drop();
  }

  protected get isReady(): boolean {
    return this.cell !== '';
  }

  protected hasMoved({ point }: Press): boolean {
    return Math.hypot(point.x - this.from.x, point.y - this.from.y) > MOVED_PX;
  }

  // What a cell is put together from at the level on show.
  protected unitOf({ atom_id: atom, cell }: AtomFacts): string {
    const { finer } = this;
    if (!finer) return atom;
    return finer === this.view.plan.levels.at(-1)?.key ? cell : this.session.ground.owners.at(finer, cell);
  }

  protected isOwn({ cell }: AtomFacts): boolean {
    return this.session.ground.owners.at(this.level, cell) === this.cell || cell === this.cell;
  }

  protected get taken(): Taken {
    return this.finer ? { cells: [...this.units] } : { atoms: [...this.units] };
  }

  protected override show(draft: { line?: readonly LonLat[] } = {}): void {
    const atoms = this.units.size ? this.session.ground.atoms.filter(({ properties }) => this.units.has(this.unitOf(properties))) : [];
    super.show({ atoms, ...draft });
  }

  protected take(atoms: readonly AtomFacts[]): boolean {
    const before = this.units.size;
    for (const atom of atoms) {
      const unit = this.isWanted(atom) ? this.unitOf(atom) : '';
      if (unit) this.units.add(unit);
    }
    return this.units.size > before;
  }

  protected isWanted(atom: AtomFacts): boolean {
    return !this.isOwn(atom);
  }

  protected inLoop(): AtomFacts[] {
    const { atoms } = this.session.ground;
    const inside = new Set(atomsInside(this.line, atoms));
    return atoms.filter(({ properties }: Feature<AtomFacts>) => inside.has(properties.atom_id)).map(({ properties }) => properties);
  }

  protected under({ x, y }: Press['point'], radius: number): AtomFacts[] {
    const found = this.view.map.queryRenderedFeatures([[x - radius, y - radius], [x + radius, y + radius]], { layers: ['atoms-fill'] });
    return found.map(({ properties: of }) => ({ atom_id: String(of['atom_id']), cell: String(of['cell']), households_text: '' }));
  }

  protected async store(): Promise<void> {
    if (this.units.size) await this.session.commit(this.command());
    this.drop();
  }

  private get finer(): string {
    const { levels } = this.view.plan;
    return levels[levels.findIndex(({ key }) => key === this.level) + 1]?.key ?? '';
  }
}

export class Brush extends Take {
  override press(at: Press): boolean {
    const isOurs = super.press(at);
    if (isOurs) this.drag(at);
    return isOurs;
  }

  override drag({ point }: Press): void {
    if (!this.take(this.under(point, this.session.brush))) return;
    this.show();
    this.session.preview(this.command());
  }

  override release(): Promise<void> {
    return this.store();
  }

  protected command(): Command {
    return paint(this.level, this.cell, this.taken);
  }
}

export class Lasso extends Take {
  override drag({ place }: Press): void {
    this.line.push(place);
    this.show({ line: this.line });
  }

  override release(): Promise<void> {
    this.take(this.inLoop());
    return this.store();
  }

  protected command(): Command {
    return paint(this.level, this.cell, this.taken);
  }
}

export interface Wish {
  name: string;
  kind: string;
}

// A loop adds what is inside of it, a click adds or leaves out one; nothing is stored until it is said.
export class Create extends Take {
  readonly wish: Wish = { name: '', kind: '' };
  // A loop that ends where it began ends in a click as well.
  private hasDrawn = false;

  protected override get isReady(): boolean {
    return true;
  }

  override press(at: Press): boolean {
    this.hasDrawn = false;
    return super.press(at);
  }

  override drag(at: Press): void {
    if (!this.line.length && !this.hasMoved(at)) return;
    this.line.push(at.place);
    this.show({ line: this.line });
  }

  override async release(): Promise<void> {
    if (!this.line.length) return;
    this.hasDrawn = true;
    this.take(this.inLoop());
    this.line = [];
    this.count();
  }

  override click({ point }: Press): void {
    const atom = this.under(point, 0)[0];
    const unit = atom ? this.unitOf(atom) : '';
    if (!unit || this.hasDrawn || !this.session.ground.isNear) return;
    if (!this.units.delete(unit)) this.units.add(unit);
    this.count();
  }

  count(): void {
    this.show();
    if (this.units.size) this.session.preview(this.command());
    else this.session.forget();
  }

  override get canEnter(): boolean {
    return this.units.size > 0;
  }

  override async enter(): Promise<void> {
    if (!this.units.size) return;
    const isDone = await this.session.commit(this.command());
    if (!isDone) return;
    this.wish.name = '';
    this.drop();
  }

  protected override isWanted(): boolean {
    return true;
  }

  protected command(): Command {
    return create(this.level, this.taken, this.wish.name.trim(), this.wish.kind);
  }
}
