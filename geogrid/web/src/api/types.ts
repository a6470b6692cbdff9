// What the service answers; the words are those of its routes.
export type LonLat = [number, number];
export type Box = [number, number, number, number];
export type BandState = 'in' | 'below' | 'above';

export interface Role {
  role: string;
  project: string | null;
  parents?: string[];
}

export interface Me {
  user: { name: string; roles: Role[]; has_password?: boolean } | null;
  csrf: string | null;
  anonymous_viewing: boolean;
  synthetic: boolean;
  sign_in?: { password: boolean; oidc: { title: string } | null };
}

export interface Settings {
  tianditu_key: string | null;
}

export type PlanState = 'draft' | 'submitted' | 'reviewed' | 'in_force' | 'archived';

export interface Version {
  id: string;
  number: number;
  parent: string | null;
  author: string | null;
  time: string;
  message: string;
  is_draft: boolean;
  is_proven: boolean;
  state: PlanState;
  state_zh?: string;
}

export interface StateAnswer {
  version: string;
  state: PlanState;
  effective_from: string | null;
  effective_to: string | null;
  notes?: string[];
}

export interface LevelDiff {
  changed: number;
  added: string[];
  removed: string[];
  redrawn: string[];
  renamed: string[];
  moved_households_text: string;
  // Between two plans: cells of the same ground under another code, the code before of each whose
  // code is another, and the level of the other plan.
  renumbered?: string[];
  was?: Record<string, string>;
  other?: { key: string; name: string };
}

export interface Move {
  level: string;
  from: string;
  to: string;
  households_text: string;
}

export type NamedCells = Features<{ code: string; name: string; level: string }>;

export interface Comparison {
  levels: Record<string, LevelDiff>;
  moves: Move[];
  cells: NamedCells;
}

export interface PlanSide {
  plan: string;
  name: string;
  version: string;
  number: number;
  state: string;
  levels: { key: string; name: string }[];
}

// Of two plans; levels are called by their keys in the first.
export interface PlanComparison extends Comparison {
  sides: [PlanSide, PlanSide];
  cells_before: NamedCells;
  notes: string[];
}

export interface PlanEntry {
  id: string;
  name: string;
  branch: string;
  head: string;
  state: string;
}

export interface Project {
  id: string;
  name: string;
  plans: PlanEntry[];
}

export interface Band {
  low: number | null;
  high: number | null;
  is_hard: boolean;
}

export interface Level {
  key: string;
  name: string;
  head_title: string;
  band: Band | null;
  cells: number;
  contract: string;
  kinds?: string[];
  // Given from above: its cells keep their borders and names.
  is_official?: boolean;
}

export interface Locks {
  levels: string[];
  // Pairs of level and code.
  cells: [string, string][];
}

export interface SourceNote {
  role?: string;
  name?: string;
  date?: string;
  licence?: string;
  attribution?: string;
  note?: string;
}

export interface Plan extends PlanEntry {
  project: unknown;
  district?: { name: string; code: string };
  scheme: { key: string; title: string };
  levels: Level[];
  // Levels that list households, which no tiles show.
  lists?: Level[];
  bounds: Box;
  households_text: string;
  is_proven: boolean;
  is_synthetic: boolean;
  is_estimated: boolean;
  limits: number[];
  locks: Partial<Locks>;
  steps?: { can_undo: boolean; can_redo: boolean };
  sources: SourceNote[];
}

export interface CellFacts {
  code: string;
  name: string;
  kind: string;
  parent: string;
  level: string;
  households: number | null;
  households_text: string;
  band: BandState | null;
  area_m2: number;
  [served: `served_${number}`]: number | null;
}

export type Shape = GeoJSON.Geometry;

export interface Feature<P> {
  type: 'Feature';
  id?: string | number;
  bbox?: Box;
  geometry: Shape | null;
  properties: P;
}

export interface Features<P> {
  type: 'FeatureCollection';
  features: Feature<P>[];
}

export interface Hit {
  code: string;
  name: string;
  level: string;
  centre: LonLat;
}

export interface UnservedRow {
  code: string;
  name: string;
  households_text?: string;
  unserved_text: string;
  share: number | null;
}

export interface DefectFacts {
  kind: string;
  kind_zh?: string;
  level?: string;
  cells?: string[];
  area_m2?: number | null;
  households_text?: string;
}

export interface StationFacts {
  name: string;
  station?: string;
  station_id?: string;
  stand_in?: string;
}

export interface Where {
  chain: { level: string; level_name: string; code: string; name: string; head_title: string }[];
  station: { name: string } | string | null;
}

export type Command = { command: string } & Record<string, unknown>;

export interface CellChange {
  level: string;
  code: string;
  before: number | null;
  after: number | null;
  band: BandState | null;
}

export interface EditAnswer {
  version: string;
  change: {
    cells: CellChange[];
    retired: { level: string; code: string }[];
    created: { level: string; code: string }[];
    households_moved: number;
    notes: string[];
  };
  is_proven: boolean;
}

export interface PreviewCell {
  level: string;
  code: string;
  before?: number | null;
  households: number | null;
  band: BandState | null;
}

export interface PreviewAnswer {
  cells: PreviewCell[];
  refused: string | null;
  // Outlines of the cells that a command would redraw.
  drawn?: Shape[];
}

export interface Arc {
  id: string | number;
  level: string;
  left: string | null;
  right: string | null;
  coordinates: LonLat[];
  nodes: boolean[];
}

export interface AtomFacts {
  atom_id: string;
  cell: string;
  households_text: string;
}
