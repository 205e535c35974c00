export function Comparisons() {
  return (
    <main class="comparisons">
      <h2>Comparisons</h2>
    </main>
  );
}
