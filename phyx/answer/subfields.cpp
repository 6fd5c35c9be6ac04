// SPDX-License-Identifier: MIT
// A list of phrases for each subfield; a phrase is a law, a conserved quantity or a relation, not a
// word that the questions themselves contain.
#include "phyx/answer/subfields.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "gaze/text/strings.hpp"

namespace gaze::phyx {

namespace {

struct Subfield {
  std::string_view name, phrases;  // separated by " | "
};

constexpr std::array<Subfield, 25> subfields = {{
    {"kinematics",
     "kinematic equation | kinematic equations | constant acceleration | uniform acceleration | "
     "projectile motion | relative velocity | free fall | centripetal acceleration"},
    {"dynamics",
     "newton's second law | newton's laws | newton's third law | net force | equation of motion | "
     "centripetal force | free body diagram | f = ma"},
    {"statics",
     "equilibrium | balance of forces | balance of torques | sum of forces | sum of torques | "
     "sum of moments | net force is zero | net torque is zero"},
    {"rotational motion",
     "torque | moment of inertia | angular momentum | parallel axis theorem | rolling without "
     "slipping | rotational kinetic energy | angular acceleration"},
    {"work and energy",
     "conservation of energy | energy conservation | conservation of mechanical energy | "
     "work-energy theorem | work energy theorem | potential energy | kinetic energy"},
    {"momentum and collisions",
     "conservation of momentum | momentum conservation | impulse | elastic collision | inelastic "
     "collision | center of mass"},
    {"electrostatics",
     "coulomb's law | gauss's law | gauss' law | electric potential | superposition | "
     "capacitance | electric field of a point charge"},
    {"electric circuits",
     "ohm's law | kirchhoff's law | kirchhoff's laws | kirchhoff's loop rule | kirchhoff's "
     "junction rule | in series | in parallel | voltage divider | rc time constant"},
    {"magnetism",
     "lorentz force | biot-savart law | ampere's law | ampère's law | right-hand rule | right hand "
     "rule | magnetic dipole | magnetic force"},
    {"electromagnetic induction",
     "faraday's law | lenz's law | motional emf | induced emf | magnetic flux | self-inductance | "
     "mutual inductance"},
    {"electromagnetic waves",
     "maxwell's equations | poynting vector | displacement current | radiation pressure | speed of "
     "light"},
    {"ideal gases and kinetic theory",
     "ideal gas law | boyle's law | charles's law | kinetic theory | mean free path | "
     "equipartition | root mean square speed | pv = nrt"},
    {"laws of thermodynamics",
     "first law of thermodynamics | second law of thermodynamics | adiabatic | isothermal | "
     "isobaric | isochoric | carnot | internal energy | entropy"},
    {"specific heat and calorimetry",
     "specific heat | latent heat | calorimetry | heat lost equals heat gained | heat balance"},
    {"temperature and heat transfer",
     "thermal expansion | thermal conductivity | heat conduction | convection | stefan-boltzmann "
     "law | thermal equilibrium | fourier's law"},
    {"wave properties",
     "superposition | wave equation | wave speed | interference | phase difference | dispersion "
     "relation | v = fλ | wavelength times frequency"},
    {"resonance and harmonics",
     "standing wave | standing waves | harmonic | harmonics | resonance | natural frequency | "
     "fundamental frequency | simple harmonic motion"},
    {"sound",
     "doppler effect | sound intensity | decibel | beat frequency | speed of sound | inverse "
     "square law"},
    {"geometrical optics",
     "snell's law | law of reflection | law of refraction | thin lens equation | lens equation | "
     "lensmaker's equation | mirror equation | total internal reflection | similar triangles"},
    {"wave optics",
     "interference | diffraction | path difference | double slit | single slit | thin film | "
     "malus's law | brewster's angle | grating equation | constructive | destructive"},
    {"optical instruments",
     "magnification | angular magnification | thin lens equation | lens equation | resolving "
     "power | rayleigh criterion | focal length"},
    {"quantum phenomena",
     "photoelectric effect | schrödinger equation | schrodinger equation | uncertainty principle | "
     "de broglie | compton | energy levels | bohr model | tunneling | planck | wave function"},
    {"relativity",
     "time dilation | length contraction | lorentz transformation | lorentz factor | velocity "
     "addition | relativistic energy | relativistic momentum | invariant"},
    {"nuclear physics",
     "binding energy | radioactive decay | half-life | mass defect | decay constant | alpha decay "
     "| "
     "beta decay | fission | fusion"},
    {"particle physics",
     "conservation of charge | lepton number | baryon number | strangeness | conservation of "
     "energy | conservation of momentum | quark | quarks"},
}};

/// The phrases of a subfield; empty if it is unknown.
std::string_view phrases_of(std::string_view subfield) {
  const std::string name = text::lower(subfield);
  for (const Subfield& s : subfields)
    if (s.name == name) return s.phrases;
  return {};
}

}  // namespace

bool is_known_subfield(std::string_view subfield) { return !phrases_of(subfield).empty(); }

bool names_subfield_principle(std::string_view text, std::string_view subfield) {
  const std::string said = text::lower(text::squeeze(text));
  std::string_view rest = phrases_of(subfield);
  constexpr std::string_view bar = " | ";
  while (!rest.empty()) {
    const std::string_view phrase = rest.substr(0, rest.find(bar));
    if (text::find_phrase(said, phrase) != said.npos) return true;
    rest.remove_prefix(std::min(rest.size(), phrase.size() + bar.size()));
  }
  return false;
}

}  // namespace gaze::phyx
